# The remediation role of one account: the management account, or each account where Terraform is
# run for each. For all member accounts at once, see the module member-role-stackset.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
}

# The name and the path are fixed: the role may attach no other policy. While it is attached somewhere, IAM does
# not delete it.
resource "aws_iam_policy" "quarantine" {
  name        = "Quarantine"
  path        = "/rescind/"
  description = "rescind attaches it to a stolen role or user until its deny is in force. It denies everything."
  policy      = local.quarantine
}

resource "aws_iam_role" "member" {
  name                 = var.role_name
  path                 = var.role_path
  description          = "rescind revokes stolen sessions with it. Only the hub may assume it."
  assume_role_policy   = local.trust
  permissions_boundary = local.boundary

  # A session of rescind lives for 15 minutes. An hour is the least that a role can have.
  max_session_duration = 3600
}

resource "aws_iam_role_policy" "permissions" {
  name   = "Rescind"
  role   = aws_iam_role.member.name
  policy = local.permissions
}

resource "aws_iam_role_policy" "users" {
  count = local.users == null ? 0 : 1

  name   = "RescindUsers"
  role   = aws_iam_role.member.name
  policy = local.users
}
