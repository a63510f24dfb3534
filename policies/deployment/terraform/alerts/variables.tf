variable "hub_role_arn" {
  description = "role_arn of the module hub-role. rescind can notify this topic, too."
  type        = string

  validation {
    condition     = can(regex("^arn:[a-z-]+:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]+$", var.hub_role_arn))
    error_message = "The ARN of one role is expected, without wildcards."
  }
}

variable "encryption" {
  description = "\"kms\": with a key that is made here. \"none\": without its cost. The messages have names of alarms in them, and findings where rescind itself notifies this topic."
  type        = string
  default     = "kms"

  validation {
    condition     = contains(["kms", "none"], var.encryption)
    error_message = "kms or none is expected."
  }
}

variable "email" {
  description = "Who gets an e-mail. AWS sends one first that has to be confirmed. Empty for none."
  type        = string
  default     = ""
}
