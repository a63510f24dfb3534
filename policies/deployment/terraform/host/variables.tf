variable "package_url" {
  description = "The package: https://…, or s3://BUCKET/KEY on an image that has the AWS CLI (Amazon Linux has). Of the bucket the host may read this object only. A .rpm for Amazon Linux 2023, a .deb for Debian and Ubuntu."
  type        = string

  validation {
    condition     = can(regex("^(https|s3)://[A-Za-z0-9_.~/%+=-]+\\.(deb|rpm)$", var.package_url))
    error_message = "The address of a package is expected: https://… or s3://…, of a .deb or .rpm."
  }
}

variable "package_sha256" {
  description = "The SHA-256 of that file, in hexadecimal. Another one is not installed."
  type        = string

  validation {
    condition     = can(regex("^[0-9a-f]{64}$", var.package_sha256))
    error_message = "64 hexadecimal digits are expected."
  }
}

variable "hub_role_name" {
  description = "role_name of the module hub-role, with host ec2."
  type        = string
  default     = "RescindHub"
}

variable "instance_profile_name" {
  description = "instance_profile_name of the module hub-role."
  type        = string
}

variable "vpc_id" {
  description = "The VPC of the subnet."
  type        = string
}

variable "subnet_id" {
  description = "A private subnet with a way out to the AWS APIs, in availability_zone."
  type        = string
}

variable "availability_zone" {
  description = "Of the subnet, and so of the volume."
  type        = string
}

variable "instance_type" {
  description = "The type of the instance."
  type        = string
  default     = "t4g.small"
}

variable "image_id" {
  description = "An image with the agent of Systems Manager, for the processor of instance_type and of the package. Not the latest one whatever it is: another image is another instance."
  type        = string
}

variable "alert_topic_arn" {
  description = "An SNS topic that the alarm notifies (topic_arn of the module alerts). Empty for none."
  type        = string
  default     = ""
}
