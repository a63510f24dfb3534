output "bucket_name" {
  description = "The bucket of the witness, in rescind.toml, and witness_bucket of the module hub-role."
  value       = aws_s3_bucket.witness.id
}
