"""The knowledge desk: what managers do with documents, in the desk worker and on the shell."""

from django.apps import AppConfig


class DeskConfig(AppConfig):
    name = "desk"
    verbose_name = "Knowledge desk"
