# The documents are those of policies/*.json: nothing is written twice.
locals {
  trust = templatefile("${path.module}/../../../member-role-trust.json", {
    EXTERNAL_ID     = var.external_id
    HUB_ROLE_ARN    = var.hub_role_arn
    ORG_ID          = var.organization_id
    SOURCE_IDENTITY = var.source_identity
  })
  permissions = templatefile("${path.module}/../../../drill-role-permissions.json", {
    DRILL_ROLE = var.role_name
  })

  boundary = var.permissions_boundary == "" ? null : "arn:${local.partition}:iam::${local.account}:policy/${var.permissions_boundary}"
}
