# The bucket for the checkpoints of the ledger, which nobody can delete or overwrite before their time. Best in an
# account of its own, for example the one of the log archive; else in the hub's.

data "aws_partition" "current" {}

locals {
  partition = data.aws_partition.current.partition
}

resource "aws_s3_bucket" "witness" {
  bucket              = var.bucket_name
  object_lock_enabled = true
  tags                = { Name = "rescind-witness" }

  lifecycle {
    prevent_destroy = true
  }
}

# Object Lock needs it.
resource "aws_s3_bucket_versioning" "witness" {
  bucket = aws_s3_bucket.witness.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_object_lock_configuration" "witness" {
  bucket = aws_s3_bucket.witness.id

  rule {
    default_retention {
      mode = var.retention_mode
      days = var.retention_days
    }
  }

  depends_on = [aws_s3_bucket_versioning.witness]
}

resource "aws_s3_bucket_server_side_encryption_configuration" "witness" {
  bucket = aws_s3_bucket.witness.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_ownership_controls" "witness" {
  bucket = aws_s3_bucket.witness.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_public_access_block" "witness" {
  bucket = aws_s3_bucket.witness.id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_policy" "witness" {
  bucket = aws_s3_bucket.witness.id
  policy = local.bucket_policy

  # Both change the bucket, and S3 lets one in at a time.
  depends_on = [aws_s3_bucket_public_access_block.witness]
}
