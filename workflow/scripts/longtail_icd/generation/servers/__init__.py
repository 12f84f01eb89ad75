"""Writers beyond a running endpoint: batches, a model in the job, a server in the job."""
