"""What `up --demo` fills a new workspace with: two weeks of a team's work, made up, the same every time but
for its ids and dates."""
