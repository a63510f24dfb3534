variable "host" {
  description = "What runs rescind: \"ec2\" also makes an instance profile, \"ecs\" is a task role."
  type        = string
  default     = "ec2"

  validation {
    condition     = contains(["ec2", "ecs"], var.host)
    error_message = "ec2 or ecs is expected."
  }
}

variable "role_name" {
  description = "The name of the hub's role."
  type        = string
  default     = "RescindHub"
}

variable "drill_role" {
  description = "The role for drills (module drill-role), with its path if it has one. Empty for none."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^([A-Za-z0-9_+=,.@-][A-Za-z0-9_+=,.@/-]*)?$", var.drill_role))
    error_message = "The name of one role is expected, with its path, without a slash before it."
  }
}

variable "organization_deny" {
  description = "True where a rule in rescind.toml has the remedy organization_deny. The module organization-deny-delegation has to let the role, too."
  type        = bool
  default     = false
}

variable "archive_findings" {
  description = "True where write_back.guardduty in rescind.toml is \"archive\"."
  type        = bool
  default     = false
}

variable "update_security_hub" {
  description = "True where write_back.security_hub in rescind.toml is \"note\" or \"resolve\"."
  type        = bool
  default     = false
}

variable "log_table" {
  description = "The table of the log (table_name of the module log). Empty where the log is local."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^(|[A-Za-z0-9_.-]{3,255})$", var.log_table))
    error_message = "The name of a table is expected, or nothing."
  }
}

variable "signing_key_arn" {
  description = "The KMS key that signs checkpoints, not an alias. Empty for a key in a file."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^(|arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+)$", var.signing_key_arn))
    error_message = "The ARN of a key is expected, or nothing."
  }
}

variable "witness_bucket" {
  description = "The bucket for checkpoints (bucket_name of the module witness). Empty for none."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^(|[a-z0-9][a-z0-9-]{1,61}[a-z0-9])$", var.witness_bucket))
    error_message = "The name of a bucket is expected, or nothing."
  }
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

variable "permissions_boundary" {
  description = "The name, with its path if it has one, of a managed policy of the account that becomes the role's permissions boundary. Empty for none."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^([A-Za-z0-9_+=,.@-][A-Za-z0-9_+=,.@/-]*)?$", var.permissions_boundary))
    error_message = "The name of a policy is expected, with its path, without a slash before it. An ARN would name one account."
  }
}
