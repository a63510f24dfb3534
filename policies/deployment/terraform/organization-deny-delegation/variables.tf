variable "hub_role_arn" {
  description = "The role that rescind runs as (module hub-role)."
  type        = string

  validation {
    condition     = can(regex("^arn:[a-z-]+:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]+$", var.hub_role_arn))
    error_message = "The ARN of one role is expected, without wildcards."
  }
}

variable "organization_id" {
  description = "The organization's id."
  type        = string

  validation {
    condition     = can(regex("^o-[a-z0-9]{10,32}$", var.organization_id))
    error_message = "The id of an organization is expected, such as o-a1b2c3d4e5."
  }
}
