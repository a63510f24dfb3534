variable "role_name" {
  description = "The role's name, as drill.role in rescind.toml. Give it to the module hub-role as drill_role, too."
  type        = string
  default     = "RescindDrill"

  validation {
    condition     = can(regex("^[A-Za-z0-9_+=,.@-]{1,64}$", var.role_name))
    error_message = "The name of a role is expected, without a path."
  }
}

variable "hub_role_arn" {
  description = "The role that rescind runs as (module hub-role). It must exist: IAM refuses a principal that does not."
  type        = string

  validation {
    condition     = can(regex("^arn:[a-z-]+:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]+$", var.hub_role_arn))
    error_message = "The ARN of one role is expected, without wildcards."
  }
}

variable "external_id" {
  description = "member.external_id in rescind.toml."
  type        = string
  sensitive   = true

  validation {
    condition     = can(regex("^[A-Za-z0-9_+=,.@:/-]{2,}$", var.external_id)) && length(var.external_id) <= 1224
    error_message = "2 to 1224 of the characters that IAM takes in an external id are expected."
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

variable "source_identity" {
  description = "member.source_identity in rescind.toml."
  type        = string
  default     = "rescind"

  validation {
    condition     = can(regex("^[A-Za-z0-9_+=,.@-]{2,64}$", var.source_identity))
    error_message = "2 to 64 of the characters that STS takes in a source identity are expected."
  }
}

variable "permissions_boundary" {
  description = "The name, with its path if it has one, of a managed policy of the account that becomes the role's permissions boundary. Empty for none."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^([A-Za-z0-9_+=,.@-][A-Za-z0-9_+=,.@/-]*)?$", var.permissions_boundary))
    error_message = "The name of a policy is expected, with its path, without a slash before it. An ARN would name one account."
  }
}
