// The Marqo Ecommerce API as a sink: documents added or updated in batches, confirmed by its jobs.
