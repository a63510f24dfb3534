# The remediation role in all member accounts, and in those that join later. The management account
# is not reached by it: use the module member-role there.

resource "aws_cloudformation_stack_set" "member_role" {
  name             = var.stack_set_name
  description      = "The remediation role of rescind."
  permission_model = "SERVICE_MANAGED"
  call_as          = var.call_as
  capabilities     = ["CAPABILITY_NAMED_IAM"]
  template_body    = file("${path.module}/../../member-role.yaml")

  parameters = {
    ContainOnly         = tostring(var.contain_only)
    ExternalId          = var.external_id
    HubRoleArn          = var.hub_role_arn
    OrganizationId      = var.organization_id
    PermissionsBoundary = var.permissions_boundary
    RoleName            = var.role_name
    RolePath            = var.role_path
    SourceIdentity      = var.source_identity
    UserKeys            = var.user_keys
  }

  auto_deployment {
    enabled = true
    # An account that leaves the organization must not keep a door to this hub.
    retain_stacks_on_account_removal = false
  }

  # Accounts that join during an update wait for it, and do not fail.
  managed_execution {
    active = true
  }

  operation_preferences {
    region_concurrency_type = "PARALLEL"
    # An account that cannot have the role, for example because a role of its name is there, must
    # not keep it from all others. By number: a tenth of fewer than ten accounts is none.
    failure_tolerance_count   = var.failure_tolerance
    max_concurrent_percentage = 25
  }

  lifecycle {
    # AWS fills the one in for service-managed StackSets and hides the other (NoEcho), and Terraform would take
    # both for drift. How a new external id gets out: ../README.md.
    ignore_changes = [administration_role_arn, parameters["ExternalId"]]
  }
}

resource "aws_cloudformation_stack_set_instance" "accounts" {
  stack_set_name            = aws_cloudformation_stack_set.member_role.name
  stack_set_instance_region = var.stack_region
  call_as                   = var.call_as

  deployment_targets {
    organizational_unit_ids = var.organizational_unit_ids
  }

  operation_preferences {
    region_concurrency_type   = "PARALLEL"
    failure_tolerance_count   = var.failure_tolerance
    max_concurrent_percentage = 25
    # Otherwise no more accounts are worked on at once than may fail.
    concurrency_mode = "SOFT_FAILURE_TOLERANCE"
  }
}
