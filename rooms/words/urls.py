from django.urls import path

from rooms.words import bringing, changing, level_views, views

urlpatterns = [
    path("words/", views.overview, name="words"),
    path("words/look/", views.look, name="words_look"),
    path("words/try/", views.attempt, name="words_try"),
    path("words/import/", bringing.bring, name="words_import"),
    path("words/import/preview/", bringing.preview, name="words_preview"),
    path("words/import/keep/", bringing.keep, name="words_keep"),
    path("words/changes/", views.changes, name="words_changes"),
    path("words/levels/", level_views.overview, name="words_levels"),
    path("words/levels/apply/", level_views.apply, name="words_levels_apply"),
    path("words/levels/back/", level_views.back, name="words_levels_back"),
    path("words/put/<path:name>/", changing.put, name="words_put"),
    path("words/remove/<path:name>/", changing.remove, name="words_remove"),
    path("words/switch/<path:name>/", changing.switch, name="words_switch"),
    path("words/list/<path:name>/", views.one, name="words_list"),
]
