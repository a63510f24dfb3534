variable "policy_name" {
  description = "The name of the policy."
  type        = string
  default     = "rescind-guard"
}

variable "member_role" {
  description = "The remediation role, with its path if it has one, as member.role in rescind.toml."
  type        = string
  default     = "RescindRemediation"

  validation {
    condition     = can(regex("^[A-Za-z0-9_+=,.@-][A-Za-z0-9_+=,.@/-]*$", var.member_role))
    error_message = "The name of one role is expected, with its path, without a slash before it."
  }
}

variable "deployers" {
  description = "ARN patterns of the roles that deploy IAM in the targets, Terraform's own among them. Those of StackSets must be there, or the remediation role can never be updated: arn:*:iam::*:role/stacksets-exec-*."
  type        = list(string)

  validation {
    condition     = length(var.deployers) > 0 && alltrue([for one in var.deployers : can(regex("^arn:[a-z*-]+:iam::[0-9*]+:(role|user)/[A-Za-z0-9_+=,.@/*?-]+$", one))])
    error_message = "ARN patterns of roles are expected, at least one: without any, nobody could deploy the remediation role again."
  }
}

variable "target_ids" {
  description = "The root (r-…), OUs (ou-…) or accounts. It does not bind the management account."
  type        = set(string)
}
