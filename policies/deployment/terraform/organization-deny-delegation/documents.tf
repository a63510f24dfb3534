# The document is that of policies/organization-deny-delegation.json: nothing is written twice.
locals {
  delegation = templatefile("${path.module}/../../../organization-deny-delegation.json", {
    HUB_ACCOUNT        = split(":", var.hub_role_arn)[4]
    HUB_ROLE_ARN       = var.hub_role_arn
    MANAGEMENT_ACCOUNT = local.account
    ORG_ID             = var.organization_id
    PARTITION          = local.partition
  })
}
