"""What the apps' REST APIs share: names, pages, problems, permissions."""
