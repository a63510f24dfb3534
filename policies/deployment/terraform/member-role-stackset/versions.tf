terraform {
  required_version = ">= 1.5"

  required_providers {
    aws = {
      source = "hashicorp/aws"
      # stack_set_instance_region came with it.
      version = ">= 6.0"
    }
  }
}
