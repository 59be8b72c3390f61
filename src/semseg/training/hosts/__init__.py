"""Several hosts that train one network: how they find, watch and add up each other."""
