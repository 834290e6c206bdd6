#!/usr/bin/env bash
# make docs: the documentation and the API of every module, as pages in build/site.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

venv=.venv-docs stamp=.venv-docs/.requirements
if ! cmp -s requirements/docs.txt "$stamp"; then
    echo "docs: installing the packages of requirements/docs.txt in $venv"
    "${PYTHON:-python3}" -m venv --clear "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r requirements/docs.txt
    cp requirements/docs.txt "$stamp"
fi
DISABLE_MKDOCS_2_WARNING=true "$venv/bin/mkdocs" build --quiet --site-dir build/site
echo "docs: open build/site/index.html"
