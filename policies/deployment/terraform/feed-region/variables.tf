variable "central_bus_arn" {
  description = "bus_arn of the module feed-central."
  type        = string
}

variable "alert_topic_arn" {
  description = "An SNS topic of this region that the alarms notify. Empty for none."
  type        = string
  default     = ""
}
