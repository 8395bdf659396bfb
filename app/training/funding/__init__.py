"""Money of training: funding streams, licence pools, time logged, unit costs. Kinds of money are never added up."""
