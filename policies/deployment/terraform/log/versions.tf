terraform {
  required_version = ">= 1.5"

  required_providers {
    aws = {
      source = "hashicorp/aws"
      # The first with deletion protection and consistency of replicas, and with resources of another region.
      version = ">= 6.9"
    }
  }
}
