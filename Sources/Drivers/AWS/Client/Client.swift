// One AWS service spoken to: endpoint, signature, retries, and errors that say what became of the call.
