variable "central_bus_arn" {
  description = "bus_arn of the module feed-central."
  type        = string
}

variable "alert_topic_arn" {
  description = "An SNS topic of this region that the alarms notify. Empty for none."
  type        = string
  default     = ""
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
