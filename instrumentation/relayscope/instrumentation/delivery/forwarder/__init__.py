"""The forwarder's side of delivery: from the spools to the destination."""
