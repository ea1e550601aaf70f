"""The networks: those that come with the trainer, those of tf_keras.applications, and the user's own."""
