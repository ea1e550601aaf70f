"""What each section of the page shows: from the report's values to drawings and texts. One module for each section."""
