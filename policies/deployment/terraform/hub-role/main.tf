# The role that rescind runs as, in the account that is GuardDuty's delegated administrator. It
# comes first: the members' roles name it as their principal.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
}

resource "aws_iam_role" "hub" {
  name                 = var.role_name
  description          = "rescind reads findings with it, and enters the members. Guard it like an administrator."
  assume_role_policy   = local.trust
  permissions_boundary = local.boundary
}

resource "aws_iam_role_policy" "permissions" {
  name   = "Rescind"
  role   = aws_iam_role.hub.name
  policy = local.permissions
}

resource "aws_iam_role_policy" "drill" {
  count = var.drill_role == "" ? 0 : 1

  name   = "RescindDrill"
  role   = aws_iam_role.hub.name
  policy = local.drill
}

resource "aws_iam_role_policy" "organization_deny" {
  count = var.organization_deny ? 1 : 0

  name   = "RescindOrganizationDeny"
  role   = aws_iam_role.hub.name
  policy = local.organization_deny
}

resource "aws_iam_role_policy" "archive" {
  count = var.archive_findings ? 1 : 0

  name   = "RescindArchive"
  role   = aws_iam_role.hub.name
  policy = local.archive
}

resource "aws_iam_role_policy" "security_hub" {
  count = var.update_security_hub ? 1 : 0

  name   = "RescindSecurityHub"
  role   = aws_iam_role.hub.name
  policy = local.security_hub
}

resource "aws_iam_role_policy" "log" {
  count = var.log_table == "" ? 0 : 1

  name   = "RescindLog"
  role   = aws_iam_role.hub.name
  policy = local.log
}

resource "aws_iam_role_policy" "kms" {
  count = var.signing_key_arn == "" ? 0 : 1

  name   = "RescindKms"
  role   = aws_iam_role.hub.name
  policy = local.kms
}

resource "aws_iam_role_policy" "witness" {
  count = var.witness_bucket == "" ? 0 : 1

  name   = "RescindWitness"
  role   = aws_iam_role.hub.name
  policy = local.witness
}

resource "aws_iam_instance_profile" "hub" {
  count = var.host == "ec2" ? 1 : 0

  name = var.role_name
  role = aws_iam_role.hub.name
}
