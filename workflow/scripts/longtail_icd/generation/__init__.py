"""Generation: plan and knowledge → screened synthetic notes."""
