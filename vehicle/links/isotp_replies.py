"""From whole messages to checked outcomes: service and parameter echoed, or it is not believed."""
