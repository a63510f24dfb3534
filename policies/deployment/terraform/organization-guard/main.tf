# The service control policy that keeps everybody but the remediation role and those who deploy from writing inline
# policies and from switching access keys: in addition to the module organization-seal. It has a wide reach: try it on one
# OU first.

resource "aws_organizations_policy" "guard" {
  name        = var.policy_name
  description = "Keeps what rescind denies, in addition to the seal."
  type        = "SERVICE_CONTROL_POLICY"
  content     = local.content
  # What has this tag stays out of reach of the module organization-deny-delegation.
  tags = { rescind-keep = "true" }
}

resource "aws_organizations_policy_attachment" "guard" {
  for_each = var.target_ids

  policy_id = aws_organizations_policy.guard.id
  target_id = each.value
}
