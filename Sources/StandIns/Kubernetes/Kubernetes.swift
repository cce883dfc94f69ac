// A Kubernetes API that knows Jobs: it checks them, keeps them, tells of them, and can run what they say.
