"""Words of German, French and Spanish questions: the grammar's words, participles, and nouns that tables often have.

A line has the English words, and the German, French and Spanish words, separated by commas.
"""

from __future__ import annotations

PHRASES = """
how many|wie viele,wieviele,wie viel|combien de,combien y a-t-il de,combien|cuántos,cuántas,cuántos hay,cuánta,cuánto
which|welche,welcher,welches,welchen,welchem|quel,quelle,quels,quelles,lequel,lesquels,lesquelles|qué,cuál,cuáles
what is|was ist,was sind,wie ist,wie hoch ist,wie hoch war|quel est,quelle est,quels sont,quelles sont|cuál es,cuáles son,cuál fue,qué es
who|wer|qui|quién,quiénes
when|wann|quand|cuándo
where|wo|où|dónde
show|zeige,zeig,zeige mir,gib,nenne,liste,zeige alle|montre,montrez,affiche,affichez,donne,donnez,liste,montre moi|muestra,muéstrame,muestre,dame,lista,enumera
number of|anzahl der,anzahl,anzahl von,die anzahl der,die anzahl|nombre de,nombre des,le nombre de,nombre|número de,cantidad de,el número de
average|durchschnittliche,durchschnittlicher,durchschnittliches,durchschnittlichen,mittlere,mittlerer,mittleres,mittleren,durchschnitt,im durchschnitt,durchschnitt der|moyen,moyenne,moyens,moyennes,la moyenne de,moyenne de,moyenne des|promedio,medio,media,promedio de,el promedio de,medios,medias
total|gesamt,gesamte,gesamter,summe,summe der,insgesamt,gesamtzahl der,gesamten|total,totale,totaux,somme,somme des,le total des,total des|total,suma,suma de,total de,totales
maximum|maximale,maximaler,maximales,maximum|maximum,maximal,maximale,maximales|máximo,máxima,máximos
minimum|minimale,minimaler,minimales,minimum|minimum,minimal,minimale|mínimo,mínima,mínimos
median|median,mediane|médian,médiane|mediana,mediano
highest|höchste,höchster,höchsten,höchstes,am höchsten|le plus élevé,la plus élevée,plus élevé,plus haut,plus haute,les plus élevés|más alto,más alta,más altos,más altas,mayor,mayores
lowest|niedrigste,niedrigster,niedrigsten,niedrigstes,am niedrigsten,tiefste|le plus bas,la plus basse,plus bas,plus basse,plus faible|más bajo,más baja,más bajos,menor,menores
largest|größte,größter,größten,größtes|le plus grand,la plus grande,plus grand,plus grande,plus grands|más grande,más grandes
smallest|kleinste,kleinster,kleinsten,kleinstes|le plus petit,la plus petite,plus petit|más pequeño,más pequeña
longest|längste,längster,längsten,längstes|le plus long,la plus longue,plus long,plus longue,plus longs|más largo,más larga,más largos
shortest|kürzeste,kürzester,kürzesten|le plus court,la plus courte,plus court|más corto,más corta
most expensive|teuerste,teuerster,teuersten,teuerstes|le plus cher,la plus chère,plus cher,plus chère,les plus chers,plus chers|más caro,más cara,más caros,más caras
cheapest|billigste,billigster,günstigste,günstigster,günstigsten,billigsten|le moins cher,la moins chère,moins cher|más barato,más barata,más baratos
strongest|stärkste,stärkster,stärksten|plus fort,plus forte,plus forts,plus puissant|más fuerte,más fuertes
oldest|älteste,ältester,ältesten|plus vieux,plus ancien,plus ancienne,plus âgé|más antiguo,más viejo,más antigua
youngest|jüngste,jüngster,jüngsten|plus jeune,plus jeunes|más joven,más jóvenes
latest|neueste,neuester,neuesten,letzte,letzter,letzten,letztes|dernier,dernière,derniers,dernières,plus récent|último,última,últimos,más reciente
first|erste,erster,ersten,erstes|premier,première,premiers|primero,primera,primeros
best|beste,bester,besten,bestes|meilleur,meilleure,meilleurs|mejor,mejores
worst|schlechteste,schlechtester,schlechtesten|pire,pires|peor,peores
the most|die meisten,den meisten,am meisten,meisten|le plus de,le plus,la plus grande quantité de|más,la mayor cantidad de,el mayor número de
the fewest|die wenigsten,am wenigsten,wenigsten|le moins de,le moins|menos
more than|mehr als,über|plus de|más de,más que
less than|weniger als,unter|moins de|menos de,menos que
at least|mindestens,wenigstens|au moins|al menos,por lo menos,como mínimo
at most|höchstens,maximal|au plus,au maximum|como máximo,a lo sumo
greater than|größer als,höher als|supérieur à,supérieure à,supérieurs à|mayor que,superior a,mayores que
smaller than|kleiner als,niedriger als|inférieur à,inférieure à|menor que,inferior a,menores que
between|zwischen|entre|entre
per|pro,je|par|por
by each|für jeden,für jede,für jedes,in jedem,in jeder,hat jede,hat jeder,hat jedes,jede,jeder,jedes|pour chaque,dans chaque|por cada,para cada,en cada,cada
by|nach|selon|según
in|in,im|en,dans,à|en
in the|in der,in den,in dem|dans le,dans la,dans les|en el,en la,en los
from|aus,von,vom|depuis|desde
of|des|de,du,des|de,del
after|nach dem|après|después de,después del,tras
before|vor,vor dem|avant|antes de,antes del
since|seit|depuis le|a partir de
with|mit|avec|con
without|ohne|sans|sin
and|und,sowie|et|y,e
or|oder|ou|o,u
not|nicht|pas|no
no|kein,keine,keinen,keiner,keinem|aucun,aucune|ningún,ninguna
||ne|
never|nie,niemals|jamais|nunca,jamás
the|der,die,das,den,dem|le,la,les|el,la,los,las
a|ein,eine,einen,einer,einem|un,une|un,una,unos,unas
are there|gibt es,gab es,sind es|y a-t-il,il y a|hay,había,existen
is|ist|est|es,está
are|sind,werden|sont|son,están
were|wurden,waren,wurde,war|ont été,étaient,a été,était|fueron,fue,eran
have|haben,hat,hatten,hatte|ont,a,avaient,avait,ai|tiene,tienen,tuvo,tuvieron,ha,han
that|welche die||que
sorted by|sortiert nach|trié par,triés par,triées par|ordenado por,ordenados por
descending|absteigend|décroissant,par ordre décroissant|descendente
ascending|aufsteigend|croissant,par ordre croissant|ascendente
share of|anteil der,anteil von,prozentsatz der,wie viel prozent der|part des,pourcentage de,pourcentage des,proportion de|porcentaje de,proporción de
different|verschiedene,unterschiedliche,verschiedenen|différents,différentes|diferentes,distintos,distintas
only|nur|seulement,uniquement|solo,sólo,solamente
still|noch|encore|todavía,aún
all|alle,aller,allen|tous,toutes,tout|todos,todas
cost|kosten,kostet|coûte,coûtent|cuesta,cuestan
live|wohnen,wohnt,leben,lebt|habitent,habite,vivent,vit|viven,vive
work|arbeiten,arbeitet|travaillent,travaille|trabajan,trabaja
start|beginnen,beginnt,begannen,begann,starten,starteten|commencent,commence|empiezan,comienzan,empezaron,comenzaron
earn|verdienen,verdient|gagnent,gagne|ganan,gana
over|übersteigen,überschreiten|dépassent,dépasse|superan,supera
came|kommen,kommt,stammen|viennent,vient,proviennent|vienen,viene,provienen
where were|||dónde están
passed|fuhren,passierten|passés|pasaron,pasan
built|gebaut|construits|se construyeron,se construyó
sold|verkauft|vendus|se vendieron,se vendió
year|jahr,jahre,jahren|an,année,années,ans|año,años
month|monat,monate,monaten|mois|mes,meses
week|woche,wochen|semaine,semaines|semana,semanas
day|tag,tage,tagen|jour,jours|día,días
hour|stunde,stunden|heure,heures|hora,horas
january|januar|janvier|enero
february|februar|février|febrero
march|märz|mars|marzo
april|april|avril|abril
may|mai|mai|mayo
june|juni|juin|junio
july|juli|juillet|julio
august|august|août|agosto
september|september|septembre|septiembre
october|oktober|octobre|octubre
november|november|novembre|noviembre
december|dezember|décembre|diciembre
euros|euro|euros,euro|euros,euro
"""
PARTICIPLES = """
cancelled|gestrichen,abgesagt,storniert,ausgefallen|annulé|cancelado
built|gebaut,erbaut|construit|construido
sold|verkauft|vendu|vendido
bought|gekauft|acheté|comprado
paid|bezahlt,gezahlt,ausgezahlt|payé|pagado
claimed|gefordert|réclamé|reclamado
played|gespielt|joué|jugado
won|gewonnen|gagné|ganado
seen|gesehen,beobachtet,gesichtet|vu,observé|visto,observado
delivered|geliefert|livré|entregado
started|begonnen,gestartet|commencé|empezado,iniciado
completed|abgeschlossen,beendet|terminé,achevé|terminado,completado
open|offen|ouvert|abierto
closed|geschlossen|fermé|cerrado
rejected|abgelehnt|rejeté,refusé|rechazado
furnished|möbliert|meublé|amueblado
published|veröffentlicht|publié|publicado
measured|gemessen|mesuré|medido
recorded|erfasst,aufgezeichnet|enregistré|registrado
hired|eingestellt|embauché,engagé|contratado
borrowed|ausgeliehen,entliehen|emprunté|prestado
written|geschrieben,verfasst|écrit|escrito
born|geboren|née,nés,nées|nacido
promoted|befördert|promu|ascendido
organic|bio,biologisch|bio,biologique|orgánico,ecológico
"""
NOUNS = """
apartment|Wohnung,Wohnungen|appartement,logement|apartamento,piso,vivienda
house|Haus,Häuser|maison|casa
rent|Miete,Mieten|loyer|alquiler,renta
district|Bezirk,Stadtteil,Viertel|quartier,arrondissement|distrito,barrio
room|Zimmer,Raum|pièce,chambre|habitación,cuarto
balcony|Balkon|balcon|balcón
floor|Stockwerk,Etage|étage|planta,piso
size|Größe|taille|tamaño
area|Fläche|superficie,surface|superficie,área
deposit|Kaution|caution,dépôt|depósito,fianza
city|Stadt,Städte|ville|ciudad
country|Land,Länder|pays|país
region|Region|région|región
street|Straße|rue|calle
price|Preis,Preise|prix|precio
amount|Betrag,Beträge|montant|importe,monto
revenue|Umsatz,Einnahmen,Erlös|chiffre,recettes,revenu|ingresos,ventas
cost|Kosten|coût|coste,costo
fee|Gebühr|frais|tarifa
quantity|Menge|quantité|cantidad
value|Wert,Werte|valeur|valor
name|Name,Namen|nom|nombre
type|Typ,Art|type,sorte|tipo
category|Kategorie|catégorie|categoría
status|Status|statut,état|estado
age|Alter|âge|edad
date|Datum|date|fecha
customer|Kunde,Kunden,Kundin|client|cliente
order|Bestellung,Auftrag,Bestellungen|commande|pedido
product|Produkt|produit|producto
employee|Mitarbeiter,Angestellte|employé|empleado
company|Firma,Unternehmen|entreprise,société|empresa
supplier|Lieferant|fournisseur|proveedor
salary|Gehalt|salaire|salario,sueldo
earthquake|Erdbeben|séisme,tremblement|terremoto,sismo
magnitude|Magnitude,Stärke|magnitude|magnitud
depth|Tiefe|profondeur|profundidad
train|Zug,Züge|train|tren
delay|Verspätung,Verzögerung|retard|retraso
operator|Betreiber|opérateur,exploitant|operador
passenger|Fahrgast,Fahrgäste,Passagier|passager,voyageur|pasajero
destination|Ziel,Zielort|destination|destino
origin|Herkunft,Start|origine|origen
departure|Abfahrt,Abflug|départ|salida
platform|Gleis|quai,voie|andén
ticket|Ticket,Karte,Eintrittskarte|billet|entrada,billete,boleto
sample|Probe,Proben|échantillon|muestra
coffee|Kaffee|café|café
variety|Sorte|variété|variedad
score|Punktzahl,Bewertung|score,note|puntuación,puntaje
taster|Verkoster|dégustateur|catador
altitude|Höhe|altitude|altitud,altura
claim|Schadensfall,Schaden,Schäden|sinistre,réclamation|siniestro,reclamación
policy|Police|police|póliza
adjuster|Gutachter,Schadenregulierer|expert,inspecteur|perito,ajustador
band|Band,Bands,Gruppe|groupe|banda,grupo
genre|Genre,Gattung|genre|género
gig|Auftritt,Konzert|concert|concierto
concert|Konzert|concert|concierto
stage|Bühne|scène|escenario
sighting|Sichtung,Beobachtung|observation|avistamiento,observación
species|Art,Spezies,Vogelart|espèce|especie
individual|Individuum,Exemplar,Individuen|individu|individuo,ejemplar
observer|Beobachter|observateur|observador
site|Standort,Ort,Stelle|site,lieu|sitio,lugar
bird|Vogel,Vögel|oiseau,oiseaux|ave,pájaro
bike|Fahrrad,Fahrräder,Rad|vélo,bicyclette|bicicleta
counter|Zähler,Zählstelle|compteur|contador
pedestrian|Fußgänger|piéton|peatón,peatones
rain|Regen,Niederschlag|pluie|lluvia
temperature|Temperatur|température|temperatura
vessel|Schiff,Schiffe|navire,bateau|buque,barco
port|Hafen,Häfen|port|puerto
voyage|Fahrt,Reise|voyage|viaje
cargo|Fracht,Ladung|cargaison,fret|carga
capacity|Kapazität|capacité|capacidad
measurement|Messung,Messwert|mesure|medición,medida
station|Station,Messstation|station|estación
pollutant|Schadstoff|polluant|contaminante
game|Spiel,Partie|partie,jeu,match|partida,juego
player|Spieler,Spielerin|joueur|jugador
opening|Eröffnung|ouverture|apertura
move|Zug|coup|jugada,movimiento
trial|Studie|essai,étude|ensayo,estudio
sponsor|Sponsor|promoteur|patrocinador
condition|Krankheit|maladie,pathologie|enfermedad
phase|Phase|phase|fase
patient|Patient|patient|paciente
doctor|Arzt,Ärzte|médecin|médico
visit|Besuch|visite|visita
book|Buch,Bücher|livre|libro
author|Autor|auteur|autor
page|Seite|page|página
student|Schüler,Student|étudiant,élève|estudiante,alumno
teacher|Lehrer|professeur,enseignant|profesor
course|Kurs|cours|curso
school|Schule|école|escuela
team|Mannschaft,Team|équipe|equipo
goal|Tor,Tore|but|gol
car|Auto,Wagen,Fahrzeug|voiture|coche,auto
trip|Fahrt|trajet|viaje
distance|Entfernung,Strecke|distance|distancia
duration|Dauer|durée|duración
weight|Gewicht|poids|peso
length|Länge|longueur|longitud
height|Höhe|hauteur|altura
population|Einwohner,Bevölkerung|population,habitant|población,habitante
member|Mitglied|membre|miembro,socio
year|Jahr|année|año
error|Fehler|erreur|error
request|Anfrage|requête|solicitud
server|Server|serveur|servidor
consumption|Verbrauch|consommation|consumo
meter|Zähler|compteur|medidor
tariff|Tarif|tarif|tarifa
level|Pegel,Stand|niveau|nivel
flow|Abfluss,Durchfluss|débit|caudal
river|Fluss,Flüsse|rivière,fleuve|río
rate|Kurs,Rate|taux,cours|tasa,tipo
invoice|Rechnung|facture|factura
payment|Zahlung|paiement|pago
Germany|Deutschland|Allemagne|Alemania
France|Frankreich|France|Francia
Spain|Spanien|Espagne|España
Italy|Italien|Italie|Italia
United Kingdom|Großbritannien|Royaume-Uni,Angleterre|Inglaterra
Ireland|Irland|Irlande|Irlanda
Netherlands|Niederlande,Holland|Pays-Bas|Holanda
Belgium|Belgien|Belgique|Bélgica
Switzerland|Schweiz|Suisse|Suiza
Austria|Österreich|Autriche|Austria
Poland|Polen|Pologne|Polonia
Sweden|Schweden|Suède|Suecia
Norway|Norwegen|Norvège|Noruega
Denmark|Dänemark|Danemark|Dinamarca
Finland|Finnland|Finlande|Finlandia
Greece|Griechenland|Grèce|Grecia
Turkey|Türkei|Turquie|Turquía
Russia|Russland|Russie|Rusia
Japan|Japan|Japon|Japón
India|Indien|Inde|India
Brazil|Brasilien|Brésil|Brasil
Mexico|Mexiko|Mexique|México
Canada|Kanada|Canada|Canadá
Kenya|Kenia|Kenya|Kenia
Ethiopia|Äthiopien|Éthiopie|Etiopía
Colombia|Kolumbien|Colombie|Colombia
Chile|Chile|Chili|Chile
Indonesia|Indonesien|Indonésie|Indonesia
Singapore|Singapur|Singapour|Singapur
Bavaria|Bayern|Bavière|Baviera
Saxony|Sachsen|Saxe|Sajonia
Hesse|Hessen|Hesse|Hesse
Munich|München|Munich|Múnich
Cologne|Köln|Cologne|Colonia
Milan|Mailand|Milan|Milán
Geneva|Genf|Genève|Ginebra
Zürich|Zürich|Zurich|Zúrich
Basel|Basel|Bâle|Basilea
London|London|Londres|Londres
"""
