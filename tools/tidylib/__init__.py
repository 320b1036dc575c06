"""The checks behind `make tidy`. One module per kind of rule; each check takes a Tree and yields Findings."""
