"""Two ticket systems, as far as their documentation says how they take a request: Jira Cloud and ServiceNow."""
