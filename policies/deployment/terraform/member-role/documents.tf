# The documents are those of policies/*.json: nothing is written twice. So take the module from the
# whole repository (git::…//policies/deployment/terraform/member-role), and do not copy its folder alone.
locals {
  policies = "${path.module}/../../.."

  trust = templatefile("${local.policies}/member-role-trust.json", {
    EXTERNAL_ID     = var.external_id
    HUB_ROLE_ARN    = var.hub_role_arn
    ORG_ID          = var.organization_id
    SOURCE_IDENTITY = var.source_identity
  })
  permissions = templatefile("${local.policies}/member-role-${var.contain_only ? "contain-only" : "permissions"}.json", {
    MEMBER_ROLE = trimprefix("${var.role_path}${var.role_name}", "/")
  })
  users = {
    true    = var.contain_only ? null : file("${local.policies}/member-role-users.json")
    contain = var.contain_only ? null : file("${local.policies}/member-role-users-contain.json")
    false   = null
  }[var.user_keys]
  quarantine = file("${local.policies}/quarantine.json")

  boundary = var.permissions_boundary == "" ? null : "arn:${local.partition}:iam::${local.account}:policy/${var.permissions_boundary}"
}
