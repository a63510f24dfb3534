# What the host runs and may do is in files that CloudFormation has, too: nothing is written twice.
locals {
  user_data = templatefile("${path.module}/../../hub/host.mime", {
    LEDGER_VOLUME  = local.volume
    PACKAGE_SHA256 = var.package_sha256
    PACKAGE_URL    = var.package_url
  })
  host = file("${path.module}/../../../hub-role-host.json")

  from_bucket = startswith(var.package_url, "s3://")
  package = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "GetPackage"
      Effect   = "Allow"
      Action   = "s3:GetObject"
      Resource = "arn:${local.partition}:s3:::${split("://", var.package_url)[1]}"
    }]
  })
}
