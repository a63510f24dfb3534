variable "hub_role_arn" {
  description = "role_arn of the module hub-role. No other role may put items."
  type        = string

  validation {
    condition     = can(regex("^arn:[a-z-]+:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]+$", var.hub_role_arn))
    error_message = "The ARN of one role is expected."
  }
}

variable "replica_regions" {
  description = "Two regions for replicas with multi-Region strong consistency, or none for a table of this region only. They have to be chosen now: a table that has items cannot be made one of three regions."
  type        = list(string)
  default     = []

  validation {
    condition     = contains([0, 2], length(distinct(var.replica_regions))) && length(distinct(var.replica_regions)) == length(var.replica_regions)
    error_message = "Two regions are expected, or none."
  }
}

variable "alert_topic_arn" {
  description = "An SNS topic that the alarms notify, for example rescind-alerts. Empty for none."
  type        = string
  default     = ""
}
