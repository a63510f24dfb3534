# The organization's resource policy, in its management account: with it the hub's role may write
# service control policies and attach them to accounts. Only for the remedy organization_deny.
#
# An organization has ONE resource policy, also called delegation policy. If yours has one
# (aws organizations describe-resource-policy), do not use this module, which would replace it: put the
# three statements of policies/organization-deny-delegation.json beside those that are there.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
}

resource "aws_organizations_resource_policy" "delegation" {
  content = local.delegation
}
