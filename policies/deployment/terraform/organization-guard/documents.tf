# The document is that of policies/organization-guard.json: nothing is written twice. Encoded again it has no white space,
# which Organizations would count.
locals {
  content = jsonencode(jsondecode(templatefile("${path.module}/../../../organization-guard.json", {
    # It stands in a list, between quotation marks.
    DEPLOYERS   = join("\",\"", var.deployers)
    MEMBER_ROLE = var.member_role
  })))
}
