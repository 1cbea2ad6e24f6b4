"""Which folders become which packages; everything else is said in setup.cfg."""
from setuptools import find_packages, setup

# The plugins live in backends/ and are installed as keraflow_backends: a package called `backends` would be
# anybody's, and a folder called `theano` or `tensorflow` on the path would hide the library of that name.
PLUGINS = ['keraflow_backends', *(f'keraflow_backends.{name}' for name in find_packages('backends'))]

setup(
    packages=[*find_packages(include=['keraflow', 'keraflow.*']), *PLUGINS],
    package_dir={'keraflow_backends': 'backends'},
)
