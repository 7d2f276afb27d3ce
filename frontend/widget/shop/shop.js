// A demonstration shop that changes pages without loading them, as most shops do: the chat stays as it is.
const goods = [
  { id: "tent", look: "clay", name: "Norrland tent", price: 289, words: "Two people, three seasons, 1.9 kg. Stands in five minutes, wind or not." },
  { id: "pack", look: "moss", name: "Fell pack, 38 litres", price: 129, words: "Waxed canvas, a frame that fits your back, and straps that we replace for life." },
  { id: "lantern", look: "ochre", name: "Hearth lantern", price: 42, words: "Warm light for forty hours, charged from the sun or any socket." },
  { id: "cup", look: "celadon", name: "Enamel mug", price: 14, words: "Wide, light and hard to break. Each glaze differs a little." },
  { id: "kettle", look: "ink", name: "Camp kettle", price: 54, words: "1.4 litres, for gas and open fire, with a handle that stays cool." },
  { id: "tin", look: "chalk", name: "Trail tea", price: 12, words: "Nettle, mint and black tea, 100 g in a tin that closes." },
];
const price = new Intl.NumberFormat("en-GB", { style: "currency", currency: "EUR" });
const all = document.getElementById("all");
const one = document.getElementById("one");
const basket = [];

function make(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

function art(good) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", `art ${good.look}`);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", good.name);
  const use = document.createElementNS(svg.namespaceURI, "use");
  use.setAttribute("href", `#${good.id}`);
  svg.append(use);
  return svg;
}

function buyButton(good) {
  const button = make("button", "", "Add to basket");
  button.type = "button";
  button.addEventListener("click", () => {
    basket.push(good);
    const total = basket.reduce((sum, each) => sum + each.price, 0);
    document.getElementById("basket").replaceChildren("Basket ", make("b", "", `${basket.length} · ${price.format(total)}`));
  });
  return button;
}

function address(id) {
  const query = new URLSearchParams(location.search);
  query.delete("item");
  if (id) query.set("item", id);
  return `?${query}`;
}

function go(id) {
  history.pushState(null, "", address(id));
  show();
}

function card(good) {
  const item = make("li");
  const text = make("div", "text");
  const link = make("a", "", good.name);
  link.href = address(good.id);
  link.addEventListener("click", (event) => {
    event.preventDefault();
    go(good.id);
  });
  text.append(link, make("span", "price", price.format(good.price)), make("p", "", good.words), buyButton(good));
  item.append(art(good), text);
  return item;
}

function show() {
  const good = goods.find((each) => each.id === new URLSearchParams(location.search).get("item"));
  all.hidden = Boolean(good);
  one.hidden = !good;
  document.title = good ? `${good.name}: Solstice Outfitters` : "Solstice Outfitters: for long days outside";
  if (!good) return;
  const back = make("a", "back", "← All gear");
  back.href = address();
  back.addEventListener("click", (event) => {
    event.preventDefault();
    go();
  });
  const text = make("div");
  text.append(make("h1", "", good.name), make("p", "price", price.format(good.price)), make("p", "", good.words), buyButton(good));
  one.replaceChildren(back, art(good), text);
  scrollTo(0, 0);
}

document.getElementById("list").append(...goods.map(card));
for (const link of document.querySelectorAll("[data-home]")) link.addEventListener("click", () => one.hidden || go());
addEventListener("popstate", show);
show();
