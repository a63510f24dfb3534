terraform {
  required_version = ">= 1.5"

  required_providers {
    aws = {
      source = "hashicorp/aws"
      # availability_zone_rebalancing came before it.
      version = ">= 6.0"
    }
  }
}
