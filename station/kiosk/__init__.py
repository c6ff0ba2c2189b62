"""The kiosk: a page on loopback that shows the packer one verdict and one thing to do."""
