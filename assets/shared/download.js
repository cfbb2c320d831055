// Files that the page hands to the person.

/**
 * @param {string} name of the file
 * @param {string} type its media type
 * @param {BlobPart} content
 */
export function download(name, type, content) {
  const address = URL.createObjectURL(new Blob([content], {type}));
  const link = Object.assign(document.createElement('a'), {href: address, download: name});
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

const INHERITED = ['fill', 'stroke', 'stroke-width', 'stroke-dasharray', 'stroke-linejoin', 'opacity', 'font-size', 'font-weight',
  'font-family', 'text-anchor', 'paint-order'];

/**
 * A drawing of the page as a file of its own: the style sheet's values stand in its elements.
 *
 * @param {SVGSVGElement} drawing
 */
export function svgFile(drawing) {
  const copy = /** @type {SVGSVGElement} */ (drawing.cloneNode(true)), {width, height} = drawing.getBoundingClientRect();
  const originals = [drawing, ...drawing.querySelectorAll('*')], copies = [copy, ...copy.querySelectorAll('*')];
  originals.forEach((original, i) => {
    const style = getComputedStyle(original);
    for (const name of INHERITED) copies[i].setAttribute(name, style.getPropertyValue(name));
  });
  copy.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  copy.setAttribute('width', String(width));
  copy.setAttribute('height', String(height));
  return new XMLSerializer().serializeToString(copy);
}
