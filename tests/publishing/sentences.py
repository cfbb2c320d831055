"""What a Hub that fails is reported as."""

UNKNOWN = "the Hub does not know who you are: run hf auth login, or set HF_TOKEN"
ABSENT = "there is no repository of that name on the Hub, or it is private: if it is yours, run hf auth login"
BROKEN = "the Hub is out of order, it answers 500: try again later"
CUT = "the connection to the Hub broke off"
