// The Ecommerce API in memory: documents by index, jobs that process them later, every failure of its contract on cue.
