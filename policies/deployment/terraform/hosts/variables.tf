variable "image" {
  description = "The image made by hub/Containerfile, by its digest (…@sha256:…): by a tag, the two hosts could run different programs."
  type        = string

  validation {
    condition     = can(regex("^[^@\\s]+@sha256:[0-9a-f]{64}$", var.image))
    error_message = "An image is expected, by its digest."
  }
}

variable "hub_role_arn" {
  description = "role_arn of the module hub-role, with host ecs and log_table rescind-log."
  type        = string

  validation {
    condition     = can(regex("^arn:[a-z-]+:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]+$", var.hub_role_arn))
    error_message = "The ARN of one role is expected, without wildcards."
  }
}

variable "configuration_secret_arn" {
  description = "The secret with the text of rescind.toml, encrypted with Secrets Manager's own key."
  type        = string

  validation {
    condition     = can(regex("^arn:[a-z-]+:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9_/+=.@-]+-[A-Za-z0-9]{6}$", var.configuration_secret_arn))
    error_message = "The ARN of a secret is expected, with the six characters at its end."
  }
}

variable "opt_outs_secret_arn" {
  description = "The secret with the text of opt-outs.toml, encrypted with Secrets Manager's own key."
  type        = string

  validation {
    condition     = can(regex("^arn:[a-z-]+:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9_/+=.@-]+-[A-Za-z0-9]{6}$", var.opt_outs_secret_arn))
    error_message = "The ARN of a secret is expected, with the six characters at its end."
  }
}

variable "signing_key_secret_arn" {
  description = "The secret with the text of ledger.key. Empty for a key that each instance makes itself."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^(|arn:[a-z-]+:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9_/+=.@-]+-[A-Za-z0-9]{6})$", var.signing_key_secret_arn))
    error_message = "The ARN of a secret is expected, with the six characters at its end, or nothing."
  }
}

variable "secret_arns" {
  description = "Secrets that rescind.toml names by a file (/etc/rescind/secrets/ and the last part of the secret's name), encrypted with Secrets Manager's own key."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for one in var.secret_arns : can(regex("^arn:[a-z-]+:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9_/+=.@-]+-[A-Za-z0-9]{6}$", one))])
    error_message = "ARNs of secrets are expected, with the six characters at their end."
  }
}

variable "vpc_id" {
  description = "The VPC of both subnets."
  type        = string
}

variable "first_subnet_id" {
  description = "A private subnet with a way out to the AWS APIs."
  type        = string
}

variable "second_subnet_id" {
  description = "Another, in another zone."
  type        = string
}

variable "instance_type" {
  description = "The type of both instances."
  type        = string
  default     = "t4g.small"
}

variable "image_id" {
  description = "An ECS-optimized image (Amazon Linux 2023) for the processor of instance_type and of image. Not the latest one whatever it is: another image is other instances."
  type        = string
}

variable "alert_topic_arn" {
  description = "An SNS topic that the alarm notifies (topic_arn of the module alerts). Empty for none."
  type        = string
  default     = ""
}

variable "permissions_boundary" {
  description = "The name, with its path if it has one, of a managed policy of the account that becomes the permissions boundary of both roles. Empty for none."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^([A-Za-z0-9_+=,.@-][A-Za-z0-9_+=,.@/-]*)?$", var.permissions_boundary))
    error_message = "The name of a policy is expected, with its path, without a slash before it. An ARN would name one account."
  }
}
