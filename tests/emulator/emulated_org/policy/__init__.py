"""IAM policy documents, and how they decide about a request."""
