variable "encryption" {
  description = "\"sqs\": with keys of SQS's own. \"kms\": with a key that is made here; then hub_role_arn must be given."
  type        = string
  default     = "sqs"

  validation {
    condition     = contains(["sqs", "kms"], var.encryption)
    error_message = "sqs or kms is expected."
  }
}

variable "hub_role_arn" {
  description = "The role that rescind runs as. Only with encryption kms, for the key's policy."
  type        = string
  default     = ""
}

variable "alert_topic_arn" {
  description = "An SNS topic that the alarms notify, for example rescind-alerts. Empty for none."
  type        = string
  default     = ""
}

variable "oldest_message_seconds" {
  description = "An alarm is raised when a message waits longer."
  type        = number
  default     = 900
}
