# A role to drill with, in an account of your choice. rescind plays its thief and revokes it. It may do nothing but look
# at itself, and nothing else must use it.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
}

resource "aws_iam_role" "drill" {
  name                 = var.role_name
  description          = "rescind drills with it. Nothing else uses it."
  assume_role_policy   = local.trust
  permissions_boundary = local.boundary
  max_session_duration = 3600
}

resource "aws_iam_role_policy" "permissions" {
  name   = "Rescind"
  role   = aws_iam_role.drill.name
  policy = local.permissions
}
