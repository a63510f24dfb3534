# The policy of the bucket is policies/witness-bucket.json: nothing is written twice.
locals {
  bucket_policy = templatefile("${path.module}/../../../witness-bucket.json", {
    HUB_ROLE_ARN   = var.hub_role_arn
    PARTITION      = local.partition
    WITNESS_BUCKET = var.bucket_name
  })
}
