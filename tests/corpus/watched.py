"""Run in a process of its own: plan every case of the corpus, and print what Python's audit hook saw of it.

An audit hook (PEP 578) cannot be removed, hence the process. It observes here; keraflow does not defend itself with one.
"""
import json
import os
import sys
import warnings

from cases import BASE, CASES, TEXTS, changed

import keraflow
from keraflow.errors import KeraFlowError
from keraflow.files.plaindata import dump_json
from keraflow.models import Model

seen, own, watching, accepted, refused = [], set(), [], [], []
#: What keraflow does itself while it plans, whatever a file holds.
ORDINARY = {'object.__getattr__', 'object.__setattr__', 'object.__delattr__', 'sys._getframe', 'sys._getframemodulename',
            'builtins.id', 'time.sleep'}


def hook(event, arguments):
    if event in ORDINARY or watching == [] or event == 'open' and (arguments[0] in own or isinstance(arguments[0], int)):
        return
    seen.append(f'{event} {arguments!r:.200}')


def attempt(path, text):
    own.add(path)
    watching.clear()
    with open(path, 'wb') as file:
        file.write(text if isinstance(text, bytes) else text.encode('utf-8', 'surrogatepass'))
    watching.append(path)
    for read in (keraflow.plan, Model.load_from_file):
        if read is Model.load_from_file and path.startswith('right'):
            continue        # which needs a backend
        try:
            read(path)
            accepted.append(path)
        except KeraFlowError:
            refused.append(path)
    watching.clear()


def main():
    warnings.simplefilter('ignore')
    attempt('right.json', dump_json(BASE))      # what is imported lazily is there after this
    attempt('right.yaml', dump_json(BASE))
    attempt('wrong.json', '{')
    attempt('wrong.yaml', '{')
    attempt('wrong.json', dump_json(changed(BASE, ('model', 'args', 'layers', 'y', 'class'), 'Densse')))
    accepted.clear()
    refused.clear()
    sys.addaudithook(hook)
    before = sorted(sys.modules), dict(os.environ), os.getcwd(), sys.path[:]
    for number, case in enumerate(CASES):
        for kind, value in (('wrong', case.wrong), ('right', case.right)):
            data = changed(BASE, case.steps, value)
            try:
                text = dump_json(data)
            except KeraFlowError:       # no file can hold it
                continue
            attempt(f"{kind}.{('json', 'yaml')[number % 2]}", text)
    for extension, wrong, right, _ in TEXTS:
        attempt(f'wrong.{extension}', wrong)
        attempt(f'right.{extension}', right)
    for name in ('canary_module', 'canary_module.Canary', 'canary_module.fire'):
        for form in ({'class': name}, {'function': name}, {'class_name': 'Canary', 'module_name': 'canary_module', 'params': {}}):
            attempt('wrong.json', json.dumps(changed(BASE, ('model', 'args', 'layers', 'y'), form)))
            attempt('wrong.json', json.dumps(form))
    after = sorted(sys.modules), dict(os.environ), os.getcwd(), sys.path[:]
    print(json.dumps({'seen': seen, 'unchanged': before == after, 'accepted': [path for path in accepted if path.startswith('wrong')],
                      'refused': len(refused), 'left': sorted(os.listdir('.'))}))


if __name__ == '__main__':      # pytest imports this module while it looks for examples in docstrings
    main()
