variable "bucket_name" {
  description = "The name of the bucket. Nobody in the world may have it yet."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.bucket_name))
    error_message = "A name of lower-case letters, digits and hyphens is expected."
  }
}

variable "hub_role_arn" {
  description = "role_arn of the module hub-role. No other role may put objects."
  type        = string

  validation {
    condition     = can(regex("^arn:[a-z-]+:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]+$", var.hub_role_arn))
    error_message = "The ARN of one role is expected."
  }
}

variable "retention_mode" {
  description = "\"COMPLIANCE\": nobody deletes a checkpoint before its time, not even the root user, and nobody can change that. \"GOVERNANCE\", for a trial: an administrator can, who takes the bucket's policy away first."
  type        = string
  default     = "COMPLIANCE"

  validation {
    condition     = contains(["COMPLIANCE", "GOVERNANCE"], var.retention_mode)
    error_message = "COMPLIANCE or GOVERNANCE is expected."
  }
}

variable "retention_days" {
  description = "For so many days a checkpoint is kept at least."
  type        = number
  default     = 400
}
