// The head of the page. Which tab is open stands in the address bar and on the root element, where the style sheet
// reads it; the tabs themselves know nothing of each other.

const list = element.querySelector('[role="tablist"]');
const buttons = Object.entries(TABS).map(([name, title]) => {
  const button = text('button', title);
  Object.assign(button, {type: 'button', role: 'tab', name});
  button.addEventListener('click', () => open(name));
  return button;
});

function open(name) {
  document.documentElement.dataset.tab = name;
  for (const button of buttons) {
    button.setAttribute('aria-selected', button.name === name);
    button.tabIndex = button.name === name ? 0 : -1;
  }
  inAddress({tab: name === buttons[0].name ? null : name});
}

list.addEventListener('keydown', event => {
  const step = {ArrowLeft: -1, ArrowRight: 1}[event.key];
  if (!step) return;
  event.preventDefault();
  const next = buttons.at((buttons.indexOf(event.target) + step) % buttons.length);
  next.focus();
  open(next.name);
});
addEventListener('lab:open', event => open(event.detail));

list.replaceChildren(...buttons);
const asked = new URLSearchParams(location.search).get('tab');
open(asked in TABS ? asked : buttons[0].name);
