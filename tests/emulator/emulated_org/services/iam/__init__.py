"""AWS IAM: what moto lacks or answers differently."""
